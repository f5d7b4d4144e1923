// PortfolioLedgerTests
