"""What workers count, how several workers' counts add up, and where all of them lie.

    worker_counts  names and numbers, and their sum; pure
    tally          what the viewers of one camera in one worker came to; pure
    shared_counts  where all workers put theirs

Knows no socket, no viewer and no camera, only their names and numbers; nor what is made of the
counts: that is `metrics`.
"""
