"""General recognition: ResNeSt-101 with 54,092 Chinese labels, by Alibaba, from ModelScope; fetched, not shipped.

network.py, convert.py need torch; they run in a process of their own, once. See docs/recognition.md.
"""
