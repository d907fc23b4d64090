"""What administrators see and do, for the command line and the console alike."""
