"""Live delivery over Socket.IO: what changes is pushed to whoever subscribed and may see it."""
