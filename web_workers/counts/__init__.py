"""What workers count, how several workers' counts add up, and where all of them lie.

    scores      names and numbers, and their sum; pure
    tally       what the viewers of one camera in one worker came to; pure
    scoreboard  the memory that all workers share
    books       one worker's own, which it puts there

Knows no socket, no viewer and no camera, only their names and numbers; nor what is made of the
counts: that is `metrics`.
"""
