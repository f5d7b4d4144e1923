// PreTradeRiskTests
