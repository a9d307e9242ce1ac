"""The console command: arguments, progress and exit codes.

In: the arguments of a process. Out: an exit code, and text for a person. What the command does is
done by the packages below it.
"""
