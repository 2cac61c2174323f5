"""Small deliveries for the demo, and the script that writes them from openly licensed figures."""
