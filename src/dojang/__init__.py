"""dojang: has this order really been paid, exactly once?"""
