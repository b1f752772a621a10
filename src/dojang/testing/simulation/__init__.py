"""The proof that money is counted exactly once: real use cases, pretended ports, every schedule and every crash.

```
stepped       a use case stops before and after each port call
stage         the world it runs in, and what is noted there         cast         who comes on stage
choices       counts through every choice                           race         lets choices decide who goes on
scenarios     small races                                           exploring    runs each of them to its last schedule
weather       what a seed makes go wrong                            seeded       large worlds, one per seed
recovery      the calm afterwards                                   collecting   what is left, as plain values
evidence      what that is; who asked is known by name              reading      how it is read
invariants    the promises, judged by code that shares nothing      second_fold  histories, read a second time
telling       what shop, buyers and Bootpay were told, and when     obeying      the shop's choices, people, leases
doubting      what may be made of a look                       attributing  whose cancel it was
```
"""
