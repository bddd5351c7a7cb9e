"""The engine's own rules and guards over recorded, written or just-seen input; nothing here can change a host."""
