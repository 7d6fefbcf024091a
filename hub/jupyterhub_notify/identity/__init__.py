"""Who a caller is: what every provider answers, and the providers themselves.

`caller` is imported by the handlers and services; which provider runs is the configuration's.
"""
