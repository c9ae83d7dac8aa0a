"""The gRPC server: the edge that maps between the wire and the pipeline."""
