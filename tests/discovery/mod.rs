//! Discovery, on the real Docker engine.
