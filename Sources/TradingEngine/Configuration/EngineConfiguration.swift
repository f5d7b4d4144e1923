public import PositionSizing
public import SignalFeatures
public import TradingTypes

/// Everything an engine is built from, apart from the instruments and the model. `EngineConfiguration()` is the built-in one.
///
/// Files are strict JSON; `ConfigurationTable` lists every key with its unit and meaning, and is the one source of reader,
/// printer and documentation.
public struct EngineConfiguration: Sendable {
  /// When a message starts a decision.
  public struct Trigger: Sendable {
    /// The best price or size of a traded instrument changed.
    public var onBestChange = true
    /// A trade printed.
    public var onTrade = true
    /// Least event time between two decisions of one instrument.
    public var intervalNanosecondsMin: Int64 = 0
  }

  /// Sizes of what is preallocated.
  public struct Capacity: Sendable {
    /// Instruments.
    public var instruments: Int64 = 64
    /// Resting orders of the feed.
    public var restingOrders: Int64 = 1 << 18
    /// Price window of a book, in ticks a side; a power of two.
    public var windowTicks: Int64 = 4_096
    /// Own child orders open at once; a power of two.
    public var openOrders: Int64 = 4096
  }

  /// Bars and session.
  public struct Bars: Sendable {
    /// Length of a primary bar.
    public var primarySeconds: Int64 = 60
    /// Bars of further timeframes, at most four; each has a block of bar slots of its own. The primary one among them is left out.
    public var further: [BarRule] = FeatureConfiguration().furtherBars
    /// Start of the session after midnight.
    public var sessionOpenSeconds: Int64 = 34_200
    /// End of the session after midnight.
    public var sessionCloseSeconds: Int64 = 57_600
  }

  /// Parameters of the Gaussian hidden Markov model over primary-bar returns in percent.
  ///
  /// The built-in numbers were fitted by EM to the one-minute returns of 24 generated stocks.
  public struct RegimeModel: Sendable {
    /// Start probabilities, a state each.
    public var start: [Double] = [0.6, 0.4]
    /// Transition probabilities, a row a state.
    public var transition: [[Double]] = [[0.833, 0.167], [0.246, 0.754]]
    /// Mean return a state.
    public var means: [Double] = [0.001, -0.003]
    /// Variance a state, ascending.
    public var variances: [Double] = [0.0010, 0.0100]
    /// Regime of each state, in ascending variance; none means bull, bear or bull, sideways, bear for two or three states.
    public var roles: [Regime] = []
    /// Factor on the signal in a bear regime; a negative one trades against the forecast.
    public var bearMultiplier = -0.8
    /// Factor on the signal in a sideways regime.
    public var sidewaysMultiplier = 0.5
    /// Factor on the signal in a bull regime.
    public var bullMultiplier = 1.2
    /// Probability a new regime must exceed before it is in force.
    public var switchProbability = 0.7
    /// Bars a new regime must have been first.
    public var switchBars: Int64 = 3
  }

  /// The volatility model over primary-bar returns in percent, and its parameters.
  ///
  /// The built-in numbers were fitted by likelihood to the one-minute returns of 24 generated stocks.
  public struct Volatility: Sendable {
    /// The equation; GJR with `gamma` 0 is GARCH(1,1).
    public var model = VolatilityModel.gjr
    /// Constant, percent squared; of EGARCH in ln percent squared.
    public var omega = 0.00046
    /// Weight of the last squared shock; of EGARCH of the standardised shock's magnitude.
    public var alpha = 0.15
    /// Further weight of the last squared shock when it was negative; of EGARCH of the standardised shock.
    public var gamma = 0.0
    /// Weight of the last variance; of EGARCH of its logarithm.
    public var beta = 0.75
    /// Mean return, percent.
    public var mean = 0.0
    /// Variance before the first bar, percent squared.
    public var initialVariance = 0.0046
  }

  /// Position sizing: the table preset, and the caps of either preset.
  public struct Sizing: Sendable {
    /// How the wanted share of equity is found: by the table, or continuously (see `ContinuousSizing`).
    public var isContinuous = false
    /// Gain of a won trade per unit lost in a lost one.
    public var payoffRatio = 1.5
    /// Share of the full Kelly fraction.
    public var kellyFraction = 0.25
    /// Annual volatility that a full position is scaled to.
    public var volatilityTargetAnnual = 0.15
    /// Largest position as a share of equity.
    public var equityShareMax = 0.02
    /// A target this many lots or fewer from the current position is not traded.
    public var bandLots: Int64 = 0
    /// The same as a share of the target.
    public var bandShare = 0.05
    /// Ticks beyond the best opposite price that an order may pay.
    public var aggressionTicks: Int64 = 0
    /// Age after which the VIX is unusable.
    public var vixAgeSecondsMax: Int64 = 900
    /// Largest position as a share of average daily volume; 0 is no limit.
    public var volumeShareMax = 0.0
    /// Most of the displayed size that an order takes to make a position larger; 0 is no limit.
    public var displayShareMax = 0.0
    /// Above this spread no position is made larger, basis points of the mid; 0 is no limit.
    public var spreadBasisPointsMax = 0.0
  }

  /// The continuous preset of position sizing; volatility target and age of the VIX are those of `Sizing`.
  public struct ContinuousSizing: Sendable {
    /// Share of the full Kelly fraction.
    public var kellyFraction = 0.5
    /// Largest position as a multiple of equity.
    public var leverageMax = 1.5
    /// Factor on the VIX.
    public var vixScale = 1.0
    /// Fall of equity from its peak at which nothing is held.
    public var drawdownMax = 0.2
    /// Short positions are allowed.
    public var allowsShort = false
    /// Bars that the mean return is taken over.
    public var meanBars: Int64 = 250
    /// With fewer bars no order is made.
    public var meanBarsMin: Int64 = 60
    /// Highest equity of the days before; the starting cash where that is higher.
    public var peakEquity = Money.zero
  }

  /// One simulated or real venue.
  public struct VenueSetting: Sendable {
    /// Name, up to 16 characters.
    public var name: String
    /// Share of a common feed's displayed size, in hundredths.
    public var sharePercent: Int64
    /// Fee for taking, a unit; negative is a rebate.
    public var takeFee: Price
    /// Fee an order that trades.
    public var fixedFee: Money
    /// Its quotes are protected.
    public var isProtected: Bool

    /// A venue.
    public init(
      name: String, sharePercent: Int64, takeFee: Price, fixedFee: Money = .zero, isProtected: Bool = true
    ) {
      self.name = name
      self.sharePercent = sharePercent
      self.takeFee = takeFee
      self.fixedFee = fixedFee
      self.isProtected = isProtected
    }
  }

  /// What trips the kill switch.
  public struct Kill: Sendable {
    /// Loss since the day's start that halts.
    public var dailyLossMax = Money(units: 5_000)
    /// Loss since the day's start that is reported.
    public var dailyLossWarning = Money(units: 4_000)
    /// Venue rejects in a row that halt.
    public var consecutiveRejectsMax: Int64 = 25
    /// Fills of one instrument within a second that halt it.
    public var fillsPerSecondMax: Int64 = 1_000
    /// Child orders within a second that halt.
    public var ordersPerSecondMax: Int64 = 20_000
    /// Sends refused in a row by one venue that halt it.
    public var venueRefusalsMax: Int64 = 3
    /// Event time without any message after which only reducing orders pass; 0 never.
    public var feedSilenceSecondsMax: Int64 = 0
  }

  /// How the engine is spread over threads.
  public struct Topology: Sendable {
    /// The kinds of `EngineTopology`, as the configuration names them.
    public enum Layout: String, CaseIterable, Sendable {
      /// One thread.
      case inline
      /// Decode, decide and execute on a thread each.
      case split
      /// Instruments over several pipelines.
      case sharded
    }
    /// Which kind.
    public var layout = Layout.inline
    /// Pipelines of the sharded one.
    public var shards: Int64 = 2

    /// The topology these settings name.
    public var engine: EngineTopology {
      switch layout {
      case .inline: .inline
      case .split: .split
      case .sharded: .sharded(count: Int(shards))
      }
    }
  }

  /// When a book is stale although no message is missing: nothing trades on it.
  public struct Books: Hashable, Sendable {
    /// Messages of a book that its unknown orders are counted over.
    public var unknownOrdersWindow: Int64 = 10_000
    /// So many of them are still no reason for doubt.
    public var unknownOrdersMax: Int64 = 100
    /// How long bid may stand above ask.
    public var crossedMax = TimeSpan.milliseconds(100)
    /// A bid equal to the ask is no fault.
    public var allowsLocked = true
  }

  /// Mode at the start.
  public var mode = PolicyMode.normal
  /// Cash at the start.
  public var startingCash = Money(units: 1_000_000)
  /// Names of the traded instruments; none means every instrument the input names, up to the capacity.
  public var instruments: [String] = []
  /// Average daily volume of an instrument whose own is not known.
  public var averageDailyVolume = Quantity(lots: 1_000_000)
  /// How the engine is spread over threads.
  public var topology = Topology()
  /// When a message starts a decision.
  public var trigger = Trigger()
  /// Sizes of what is preallocated.
  public var capacity = Capacity()
  /// When a book is stale although no message is missing.
  public var books = Books()
  /// Bars and session.
  public var bars = Bars()
  /// The regime model.
  public var regime = RegimeModel()
  /// The volatility model.
  public var volatility = Volatility()
  /// Position sizing.
  public var sizing = Sizing()
  /// The continuous preset of position sizing.
  public var continuousSizing = ContinuousSizing()
  /// Venues in id order.
  public var venues = [
    VenueSetting(name: "ALPHA", sharePercent: 50, takeFee: Price(nanos: 3_000_000)),
    VenueSetting(name: "BRAVO", sharePercent: 30, takeFee: Price(nanos: 2_000_000)),
    VenueSetting(name: "CHARLIE", sharePercent: 20, takeFee: Price(nanos: -500_000)),
  ]
  /// Time from an order to its first report, simulated venues only.
  public var venueLatencyNanoseconds: Int64 = 0
  /// Limits of the pre-trade checks.
  public var limits = EngineConfiguration.builtinLimits
  /// What trips the kill switch.
  public var kill = Kill()

  /// The built-in configuration: NORMAL mode, three simulated venues, limits that a quiet day keeps.
  public init() {}

  private static var builtinLimits: LimitSet {
    var limits = LimitSet()
    limits.orderQuantityMax = Quantity(lots: 10_000)
    limits.orderVolumeShareMillionthsMax = 10_000
    limits.orderNotionalMax = Money(units: 100_000)
    limits.collarBasisPointsMax = 200
    limits.collarTicksMax = 500
    limits.passiveBasisPointsMax = 1_000
    limits.marketDataAgeMax = .seconds(60)
    limits.longPositionMax = Quantity(lots: 50_000)
    limits.shortPositionMax = Quantity(lots: 50_000)
    limits.symbolGrossMax = Money(units: 100_000)
    limits.sectorGrossMax = Money(units: 5_000_000)
    limits.strategyGrossMax = Money(units: 5_000_000)
    limits.accountGrossMax = Money(units: 5_000_000)
    limits.firmGrossMax = Money(units: 5_000_000)
    limits.firmNetMax = Money(units: 5_000_000)
    limits.dailyLossMax = Money(units: 5_000)
    limits.drawdownMax = Money(units: 10_000)
    limits.strategyOrdersPerSecond = 10_000
    limits.strategyOrdersBurst = 10_000
    limits.symbolOrdersPerSecond = 1_000
    limits.symbolOrdersBurst = 1_000
    limits.sessionOrdersPerSecond = 10_000
    limits.sessionOrdersBurst = 10_000
    limits.duplicateWindow = .milliseconds(1)
    return limits
  }
}
