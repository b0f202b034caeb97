"""The durable account of finished work: every finish counted once, for as long as the store lives."""
