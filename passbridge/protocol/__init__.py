"""What both gateways have in common, as pure functions over values.

Owns the wire's values, the conversation, signing primitives, keys and the mapping tables' meaning. No socket, clock,
randomness, file or logging: time, keys and tables come in as arguments.
"""
