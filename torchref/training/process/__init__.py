"""What the operating system gives and takes: devices, signals, files, processes."""
