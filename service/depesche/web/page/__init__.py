"""The newsroom page, and what it needs of the server beside the JSON edge."""
