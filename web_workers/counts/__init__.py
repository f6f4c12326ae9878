"""What workers count, how several workers' counts add up, and where all of them lie.

    worker_counts  names and numbers, and their sum; pure
    tally          what the viewers of one camera in one worker came to; pure
    scoreboard     the memory that all workers share
    publisher      puts one worker's own there

Knows no socket, no viewer and no camera, only their names and numbers; nor what is made of the
counts: that is `metrics`.
"""
