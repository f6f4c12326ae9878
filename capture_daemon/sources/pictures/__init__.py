"""What must be known of pictures without decoding them: markers, where one ends, what is none.

Pure functions over bytes, whole or still coming in. It may not know where they come from.
"""
