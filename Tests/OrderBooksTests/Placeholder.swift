// OrderBooksTests
