//! A Docker engine, by bollard.
