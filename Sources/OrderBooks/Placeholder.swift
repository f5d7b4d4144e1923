// OrderBooks
