"""What an operation is: its limit and keys, what it takes, and how its responses are read.

In: arguments and inputs as a caller gives them, and the models that the generated functions return.
Out: what is sent, and a response in the engine's terms. It alone knows the generated package.
"""
