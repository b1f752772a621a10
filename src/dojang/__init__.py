"""dojang: has this order really been paid, exactly once?"""

__version__ = "0.1.0"
