// Stages/6-PreTradeRisk
