"""The open event streams of this process, and the parts that notice changes for them."""
