//! The demo target: a process that a VNC client can view.
