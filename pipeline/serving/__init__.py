"""The development server and the client. Both use TensorFlow Serving's REST routes and gRPC services."""
