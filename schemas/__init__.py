"""What every table is: contracts, shared fields, code lists, and the little code that reads them."""
