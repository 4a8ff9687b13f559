"""The Python of the demo's jobs. A plugin is a folder with this file in it; jobs name `module.path:function`.

Edit a file while the server runs: the next run takes the new code, runs in flight keep the old one.
"""
