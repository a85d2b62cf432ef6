//! The little of RFB (VNC) that the probe and the demo target share.
