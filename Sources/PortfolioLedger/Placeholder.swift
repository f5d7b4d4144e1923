// PortfolioLedger
