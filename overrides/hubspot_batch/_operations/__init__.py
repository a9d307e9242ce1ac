"""The operations: their limits and keys, what they take, and how their responses are read.

In: arguments and inputs as a caller gives them, and the models that the generated functions return.
Out: what is sent, and a response in the engine's terms. Nearly all use of generated code is here.
"""
