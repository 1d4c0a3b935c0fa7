"""Ways to find the items of the largest products with a user's vector, timed in processes of their own."""
