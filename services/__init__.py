"""Services: what people and programs ask the lakehouse for over HTTP."""
