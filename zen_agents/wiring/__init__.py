"""From a configuration and the ports to the engine's parts: a real engine is built so, and so is a rehearsal."""
