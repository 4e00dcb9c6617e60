"""The parts of a developer's machine: emulator, triggers, dispatcher, gateway, processes, commands."""
