"""The one place where ports meet adapters: builds the engine, reloads it, ends it."""
