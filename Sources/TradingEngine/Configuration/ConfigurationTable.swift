internal import PositionSizing
internal import SignalFeatures
internal import TradingTypes

/// Every key of the configuration: the one source of the reader, `--print-config` and `Docs/Configuration.md`.
public enum ConfigurationTable {
  /// The keys, in printing order.
  public static let fields: [ConfigurationField] = general + models + sizing + continuousSizing + limits + kill

  private static let general: [ConfigurationField] = [
    field("mode", \.mode, PolicyMode.allCases.map { ("\($0)", $0) }, "Policy mode at the start."),
    field("starting_cash", \.startingCash, "Cash of the account at the start."),
    ConfigurationField(
      path: "instruments", kind: "array of symbols",
      meaning: "Traded instruments in id order; empty means every instrument the input names, up to the capacity.",
      read: { "[" + $0.instruments.map(quotedJSON).joined(separator: ", ") + "]" },
      write: { (root, node, source) throws(ConfigurationError) in
        guard case .array(let elements) = node.value else {
          throw configurationRefusal(source, "instruments", node, "an array")
        }
        var symbols: [String] = []
        for element in elements {
          guard case .string(let text) = element.value, Symbol(text) != nil, !symbols.contains(text) else {
            throw configurationRefusal(
              source, "instruments", element, "a distinct symbol of 1 to 16 printable characters")
          }
          symbols.append(text)
        }
        root.instruments = symbols
      }),
    field(
      "average_daily_volume", \.averageDailyVolume,
      "Average daily volume of an instrument whose own is not known (check 11)."),
    ConfigurationField(
      path: "topology.layout", kind: "\"inline\", \"split\" or \"sharded\"",
      meaning: "How the engine is spread over threads; the decisions are the same.",
      read: { "\"\($0.topology.layout.rawValue)\"" },
      write: { (root, node, source) throws(ConfigurationError) in
        guard case .string(let text) = node.value, let layout = EngineConfiguration.Topology.Layout(rawValue: text)
        else { throw configurationRefusal(source, "topology.layout", node, "\"inline\", \"split\" or \"sharded\"") }
        root.topology.layout = layout
      }),
    field(
      "topology.shards", \.topology.shards, 1...16, "count", "Pipelines of the sharded layout; other layouts ignore it."
    ),
    field("trigger.on_best_change", \.trigger.onBestChange, "Decide when the best price or size changed."),
    field("trigger.on_trade", \.trigger.onTrade, "Decide when a trade printed."),
    field(
      "trigger.interval_ns_min", \.trigger.intervalNanosecondsMin, 0...Int64.max, "nanoseconds",
      "Least event time between two decisions of one instrument."),
    field("capacity.instruments", \.capacity.instruments, 1...65_536, "count", "Instruments preallocated."),
    field(
      "capacity.resting_orders", \.capacity.restingOrders, 1_024...67_108_864, "count",
      "Resting orders of the feed, all instruments together."),
    field(
      "capacity.window_ticks", \.capacity.windowTicks, 64...4_096, "ticks, a power of two",
      "Price window of a book, a side; levels outside live in a sorted overflow."),
    field(
      "capacity.open_orders", \.capacity.openOrders, 64...1_048_576, "count, a power of two",
      "Own child orders open at once."),
    field(
      "books.unknown_orders_window", \.books.unknownOrdersWindow, 1...1_000_000, "messages",
      "Messages of a book its unknown orders are counted over."),
    field(
      "books.unknown_orders_max", \.books.unknownOrdersMax, 0...10_000, "count",
      "Unknown orders among them that do not make the book stale."),
    field("books.crossed_ns_max", \.books.crossedMax, "Time a bid may stand above the ask before the book is stale."),
    field("books.allow_locked", \.books.allowsLocked, "A bid equal to the ask is no fault."),
    field("bars.primary_s", \.bars.primarySeconds, 1...86_400, "seconds", "Length of a primary bar."),
    ConfigurationField(
      path: "bars.further", kind: "array of at most 4 timeframes",
      meaning: "Bars beside the primary ones: 1s, 5m, 1h, 1d; volume:LOTS; dollar:UNITS of the quote currency.",
      read: { "[" + $0.bars.further.map { quotedJSON($0.name) }.joined(separator: ", ") + "]" },
      write: { (root, node, source) throws(ConfigurationError) in
        guard case .array(let elements) = node.value else {
          throw configurationRefusal(source, "bars.further", node, "an array")
        }
        var rules: [BarRule] = []
        for element in elements {
          guard case .string(let text) = element.value, let rule = BarRule(text) else {
            throw configurationRefusal(
              source, "bars.further", element, "a span that divides a day, like 5m, or volume:1000, or dollar:5000000")
          }
          rules.append(rule)
        }
        root.bars.further = rules
      }),
    field("bars.session_open_s", \.bars.sessionOpenSeconds, 0...86_400, "seconds", "Session start after midnight."),
    field("bars.session_close_s", \.bars.sessionCloseSeconds, 0...86_400, "seconds", "Session end after midnight."),
    ConfigurationField(
      path: "venues", kind: "array of 1 to 8 objects: name, share_percent, take_fee, fixed_fee, protected",
      meaning: "Venues in id order; shares of a common feed's displayed size add up to 100; fees in currency a unit.",
      read: { root in
        "["
          + root.venues.map {
            "{\"name\": \(quotedJSON($0.name)), \"share_percent\": \($0.sharePercent), \"take_fee\": \($0.takeFee.text(places: 0)), "
              + "\"fixed_fee\": \($0.fixedFee.text(places: 0)), \"protected\": \($0.isProtected)}"
          }.joined(separator: ", ") + "]"
      },
      write: { (root, node, source) throws(ConfigurationError) in
        guard case .array(let elements) = node.value, (1...8).contains(elements.count) else {
          throw configurationRefusal(source, "venues", node, "an array of 1 to 8 objects")
        }
        root.venues = try venueSettings(of: "venues", in: elements, source)
      }),
    field(
      "venue_latency_ns", \.venueLatencyNanoseconds, 0...60_000_000_000, "nanoseconds",
      "Time from an order to its first report, simulated venues only."),
  ]

  private static let models: [ConfigurationField] = [
    field("regime.start", \.regime.start, "Start probability of each state."),
    ConfigurationField(
      path: "regime.transition", kind: "array of rows of numbers",
      meaning: "Transition probabilities, from row to column.",
      read: { "\($0.regime.transition)" },
      write: { (root, node, source) throws(ConfigurationError) in
        guard case .array(let rows) = node.value, (2...4).contains(rows.count) else {
          throw configurationRefusal(source, "regime.transition", node, "an array of 2 to 4 rows")
        }
        var matrix: [[Double]] = []
        for row in rows { matrix.append(try configurationReals(row, "regime.transition", source)) }
        root.regime.transition = matrix
      }),
    field("regime.means", \.regime.means, "Mean bar return of each state, percent."),
    field("regime.variances", \.regime.variances, "Variance of each state, percent squared, ascending."),
    ConfigurationField(
      path: "regime.roles", kind: "array of \"bull\", \"sideways\", \"bear\", one a state, or empty",
      meaning: "Regime of each state in ascending variance; empty for the preset of two or three states.",
      read: { "[" + $0.regime.roles.map { "\"\($0)\"" }.joined(separator: ", ") + "]" },
      write: { (root, node, source) throws(ConfigurationError) in
        guard case .array(let elements) = node.value else {
          throw configurationRefusal(source, "regime.roles", node, "an array")
        }
        var roles: [Regime] = []
        for element in elements {
          guard case .string(let text) = element.value, let role = Regime.allCases.first(where: { "\($0)" == text })
          else { throw configurationRefusal(source, "regime.roles", element, "\"bull\", \"sideways\" or \"bear\"") }
          roles.append(role)
        }
        root.regime.roles = roles
      }),
    field("regime.bear_multiplier", \.regime.bearMultiplier, -10...10, "factor", "On the signal in a bear regime."),
    field(
      "regime.sideways_multiplier", \.regime.sidewaysMultiplier, -10...10, "factor",
      "On the signal in a sideways regime."),
    field("regime.bull_multiplier", \.regime.bullMultiplier, -10...10, "factor", "On the signal in a bull regime."),
    field(
      "regime.switch_probability", \.regime.switchProbability, 0...1, "probability",
      "A new regime must exceed this before it is in force."),
    field("regime.switch_bars", \.regime.switchBars, 1...1_000, "bars", "A new regime must have been first so long."),
    field(
      "volatility.model", \.volatility.model, VolatilityModel.allCases.map { ("\($0)", $0) },
      "The equation; gjr with gamma 0 is garch. Docs/Volatility.md has all three."),
    field(
      "volatility.omega", \.volatility.omega, -10...1e6, "percent squared, of egarch its logarithm",
      "Constant; at least 1e-8 unless the model is egarch, and then at most 10."),
    field(
      "volatility.alpha", \.volatility.alpha, -2...2, "weight",
      "Weight of the last squared shock, 0…1; of egarch of the standardised shock's magnitude."),
    field(
      "volatility.gamma", \.volatility.gamma, -2...2, "weight",
      "Further weight when the shock was negative, 0…1; of egarch of the standardised shock."),
    field(
      "volatility.beta", \.volatility.beta, 0...0.9999, "weight",
      "Weight of the last variance, of egarch of its logarithm."
    ),
    field("volatility.mean", \.volatility.mean, -10...10, "percent", "Mean bar return."),
    field(
      "volatility.initial_variance", \.volatility.initialVariance, 1e-12...1e6, "percent squared",
      "Variance before the first bar."),
  ]

  private static let sizing: [ConfigurationField] = [
    field(
      "sizing.preset", \.sizing.isContinuous, [("table", false), ("continuous", true)],
      "How the wanted share of equity is found; Docs/Sizing.md has both step by step."),
    field("sizing.payoff_ratio", \.sizing.payoffRatio, 0.01...100, "ratio", "Gain of a won trade per unit lost."),
    field("sizing.kelly_fraction", \.sizing.kellyFraction, 0...1, "share", "Share of the full Kelly fraction."),
    field(
      "sizing.volatility_target_annual", \.sizing.volatilityTargetAnnual, 0.001...10, "a year",
      "Volatility that a full position is scaled to."),
    field(
      "sizing.equity_share_max", \.sizing.equityShareMax, 0...1, "share", "Largest position as a share of equity."),
    field("sizing.band_lots", \.sizing.bandLots, 0...1_000_000_000, "lots", "No-trade band."),
    field("sizing.band_share", \.sizing.bandShare, 0...1, "share of the target", "No-trade band."),
    field(
      "sizing.aggression_ticks", \.sizing.aggressionTicks, 0...1_000, "ticks",
      "How far beyond the best opposite price an order may pay."),
    field(
      "sizing.vix_age_s_max", \.sizing.vixAgeSecondsMax, 0...604_800, "seconds", "Older than this the VIX is unusable."),
    field(
      "sizing.volume_share_max", \.sizing.volumeShareMax, 0...1, "share",
      "Largest position as a share of average daily volume; 0 is no limit."),
    field(
      "sizing.display_share_max", \.sizing.displayShareMax, 0...1, "share",
      "Most of the displayed size that an order takes to make a position larger; 0 is no limit."),
    field(
      "sizing.spread_bp_max", \.sizing.spreadBasisPointsMax, 0...10_000, "basis points",
      "Above this spread no position is made larger; 0 is no limit."),
  ]

  private static let continuousSizing: [ConfigurationField] = [
    field(
      "continuous_sizing.kelly_fraction", \.continuousSizing.kellyFraction, 0...1, "share",
      "Share of the full Kelly fraction."),
    field(
      "continuous_sizing.leverage_max", \.continuousSizing.leverageMax, 0...1_000, "times equity",
      "Largest position; the caps of `sizing` and of the mode come after it."),
    field(
      "continuous_sizing.vix_scale", \.continuousSizing.vixScale, 0.01...10, "factor",
      "On the VIX; 0.8 takes out its average premium."),
    field(
      "continuous_sizing.drawdown_max", \.continuousSizing.drawdownMax, 0.001...0.999, "share",
      "Fall of equity from its peak at which nothing is held."),
    field("continuous_sizing.allow_short", \.continuousSizing.allowsShort, "Short positions are allowed."),
    field(
      "continuous_sizing.mean_bars", \.continuousSizing.meanBars, 1...512, "bars",
      "Bars that the mean return is taken over."),
    field(
      "continuous_sizing.mean_bars_min", \.continuousSizing.meanBarsMin, 1...512, "bars",
      "With fewer bars no order is made."),
    field(
      "continuous_sizing.peak_equity", \.continuousSizing.peakEquity,
      "Highest equity of the days before; the starting cash where that is higher."),
  ]

  private static let limits: [ConfigurationField] = [
    field("limits.order_quantity_max", \.limits.orderQuantityMax, "Lots an order (check 11)."),
    field(
      "limits.order_volume_share_millionths_max", \.limits.orderVolumeShareMillionthsMax, 0...1_000_000, "millionths",
      "Order size as a share of average daily volume, where that is known (check 11)."),
    field("limits.order_notional_max", \.limits.orderNotionalMax, "Notional an order (check 12)."),
    field(
      "limits.collar_bp_max", \.limits.collarBasisPointsMax, 0...10_000, "basis points",
      "Distance from the reference price towards a worse price (check 13)."),
    field("limits.collar_ticks_max", \.limits.collarTicksMax, 0...1_000_000, "ticks", "The same in ticks (check 13)."),
    field(
      "limits.passive_bp_max", \.limits.passiveBasisPointsMax, 0...10_000, "basis points",
      "Distance on the passive side (check 13)."),
    field("limits.market_data_age_ns_max", \.limits.marketDataAgeMax, "Age of book and reference (checks 13, 14)."),
    field("limits.long_position_max", \.limits.longPositionMax, "Worst-case long position (check 15)."),
    field("limits.short_position_max", \.limits.shortPositionMax, "Worst-case short position (check 15)."),
    field("limits.symbol_gross_max", \.limits.symbolGrossMax, "Gross exposure, a symbol (check 16)."),
    field("limits.sector_gross_max", \.limits.sectorGrossMax, "Gross exposure, a sector (check 16)."),
    field("limits.strategy_gross_max", \.limits.strategyGrossMax, "Gross exposure, a strategy (check 16)."),
    field("limits.account_gross_max", \.limits.accountGrossMax, "Gross exposure, an account (check 16)."),
    field("limits.firm_gross_max", \.limits.firmGrossMax, "Gross exposure, the firm (check 16)."),
    field("limits.firm_net_max", \.limits.firmNetMax, "Net exposure, the firm (check 16)."),
    field("limits.daily_loss_max", \.limits.dailyLossMax, "Loss since the day's start (check 20)."),
    field("limits.drawdown_max", \.limits.drawdownMax, "Fall from the day's peak (check 20)."),
    field(
      "limits.strategy_orders_per_s", \.limits.strategyOrdersPerSecond, 0...1_000_000, "a second",
      "New orders, a strategy (check 26)."),
    field(
      "limits.strategy_orders_burst", \.limits.strategyOrdersBurst, 0...1_000_000, "count",
      "New orders at once, a strategy (check 26)."),
    field(
      "limits.symbol_orders_per_s", \.limits.symbolOrdersPerSecond, 0...1_000_000, "a second",
      "New orders, a symbol (check 26)."),
    field(
      "limits.symbol_orders_burst", \.limits.symbolOrdersBurst, 0...1_000_000, "count",
      "New orders at once, a symbol (check 26)."),
    field(
      "limits.session_orders_per_s", \.limits.sessionOrdersPerSecond, 0...1_000_000, "a second",
      "New orders, the session (check 26)."),
    field(
      "limits.session_orders_burst", \.limits.sessionOrdersBurst, 0...1_000_000, "count",
      "New orders at once, the session (check 26)."),
    field("limits.duplicate_window_ns", \.limits.duplicateWindow, "How long an equal order is a duplicate (check 28)."),
  ]

  private static let kill: [ConfigurationField] = [
    field("kill.daily_loss_max", \.kill.dailyLossMax, "Loss since the day's start that halts."),
    field("kill.daily_loss_warning", \.kill.dailyLossWarning, "Loss since the day's start that is reported."),
    field(
      "kill.consecutive_rejects_max", \.kill.consecutiveRejectsMax, 1...1_000_000, "count",
      "Venue rejects in a row that halt."),
    field(
      "kill.fills_per_s_max", \.kill.fillsPerSecondMax, 1...1_000_000, "a second",
      "Fills of one instrument that halt it."),
    field("kill.orders_per_s_max", \.kill.ordersPerSecondMax, 1...10_000_000, "a second", "Child orders that halt."),
    field(
      "kill.venue_refusals_max", \.kill.venueRefusalsMax, 1...1_000, "count",
      "Refused sends in a row that halt a venue."),
    field(
      "kill.feed_silence_s_max", \.kill.feedSilenceSecondsMax, 0...86_400, "seconds",
      "Event time without a message after which only reducing orders pass; 0 never."),
  ]
}
