"""One request, with all its attempts.

It decides when a request is sent, whether it is sent again, and with which token. In: an httpx
request. Out: its response, or the exception that stands for it. It knows no batch.
"""
