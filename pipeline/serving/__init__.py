"""The development server, and the client of TensorFlow Serving: both speak its REST routes and its gRPC services."""
