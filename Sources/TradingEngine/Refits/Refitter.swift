public import PositionSizing
public import RegimeDetection
public import TradingTypes

/// What a fit says about a window of returns.
public enum RefitAnswer<Parameters: Sendable>: Sendable {
  /// These parameters from here on.
  case replace(Parameters)
  /// Those in force stay, for a reason in one line.
  case keep(reason: String)
}

/// The other thread's work beside a `RefitDesk`, or beside those of all shards: keeps a window of returns of each instrument, refits on it,
/// hands the result over.
///
/// `step` does what there is to do and may take as long as the fits take; the pipeline does not wait for it. A fit that refuses leaves
/// the parameters in force and marks them stale; the next fit that succeeds takes the mark away.
public struct Refitter: ~Copyable, Sendable {
  /// When is fitted, and on what.
  public struct Schedule: Hashable, Sendable {
    /// Returns of each instrument that a fit reads at most: the window slides over them.
    public var windowMax = 2_000
    /// Returns that a fit needs.
    public var windowMin = 250
    /// Returns, the newest ones, from which the regime filter's states are made anew.
    public var reseedCount = 250
    /// Returns of some instrument from one fit to the next.
    public var interval = 390
    /// The instrument whose returns the regime model is fitted to: an index, or the one that leads the others; nil for no such fit.
    public var regimeInstrument: InstrumentID? = InstrumentID(index: 0)

    /// A window of 2,000 returns, refitted every 390: a trading day of minutes.
    public init() {}
  }

  /// The fits, which know nothing of threads: values in, values out.
  public struct Fits: Sendable {
    /// New parameters of the regime filter from a window and those in force, or nil for no such fit.
    public var regime: (@Sendable (_ window: [Double], _ inForce: RegimeParameters) -> RefitAnswer<RegimeParameters>)?
    /// New parameters of one instrument's volatility filter from a window and those in force, or nil for no such fit.
    public var volatility:
      (@Sendable (_ window: [Double], _ inForce: VolatilityParameters) -> RefitAnswer<VolatilityParameters>)?

    /// Fits of one's own.
    public init(
      regime: (@Sendable (_ window: [Double], _ inForce: RegimeParameters) -> RefitAnswer<RegimeParameters>)? = nil,
      volatility: (
        @Sendable (_ window: [Double], _ inForce: VolatilityParameters) -> RefitAnswer<VolatilityParameters>
      )? = nil
    ) {
      self.regime = regime
      self.volatility = volatility
    }
  }

  /// What it did so far.
  public struct Report: Hashable, Sendable {
    /// Returns taken in.
    public var returns: UInt64 = 0
    /// Windows that began anew because a return was lost on the way.
    public var holes: UInt64 = 0
    /// Changes handed over.
    public var published: UInt64 = 0
    /// Those of them that took effect.
    public var adopted: UInt64 = 0
    /// Those that came back as too old.
    public var late: UInt64 = 0
    /// Returns that the last change was behind when it took effect.
    public var lastCaughtUp = 0
    /// Fits that left the parameters as they were.
    public var kept: UInt64 = 0
    /// Why the last of them did.
    public var lastReason: String?
    /// The regime model in force is one that a fit would have replaced, had it succeeded.
    public var isRegimeStale = false
    /// The same of each instrument's volatility model.
    public var isVolatilityStale: [Bool] = []

    init() {}
  }

  /// What it did so far.
  public private(set) var report = Report()
  /// The regime model in force, as far as is known here.
  public private(set) var regime: RegimeParameters
  /// Its table.
  public let table: RegimeTable
  /// Each instrument's volatility model in force, as far as is known here.
  public private(set) var volatility: [VolatilityParameters]
  private let schedule: Schedule
  private let fits: Fits
  private var publishers: RefitPublishers
  private var windows: [ReturnSeries]
  private var sinceFit: [Int]
  private var isRequested = false
  private var wasLate = false
  // What a change on its way would put in force.
  private var offered: (regime: RegimeParameters?, volatility: [VolatilityParameters?])?

  /// A refitter for the desk whose end `publisher` is, and which is alone.
  ///
  /// - Throws: `ConfigurationError` as the one for several desks does.
  public init(
    _ publisher: consuming RefitPublisher, regime: RegimeParameters, table: RegimeTable,
    volatility: VolatilityParameters, schedule: Schedule = Schedule(), fits: Fits
  ) throws(ConfigurationError) {
    try self.init(
      RefitPublishers(publisher), regime: regime, table: table, volatility: volatility, schedule: schedule, fits: fits)
  }

  /// A refitter for the desks whose ends `publishers` are: one for all shards, which change at the same bar's end.
  ///
  /// - Parameters:
  ///   - regime: the model in force, with its table; refits keep the table.
  ///   - volatility: the model in force of every instrument.
  /// - Throws: `ConfigurationError` when the schedule has a window that is empty or shorter than what is made anew.
  public init(
    _ publishers: consuming RefitPublishers, regime: RegimeParameters, table: RegimeTable,
    volatility: VolatilityParameters, schedule: Schedule = Schedule(), fits: Fits
  ) throws(ConfigurationError) {
    guard schedule.windowMin >= 1, schedule.windowMax >= schedule.windowMin, schedule.reseedCount >= 1,
      schedule.reseedCount <= schedule.windowMax, schedule.interval >= 1
    else {
      throw ConfigurationError(
        "refits: windows of \(schedule.windowMin) to \(schedule.windowMax) returns, \(schedule.reseedCount) made anew, every \(schedule.interval): 1 or more of each, ascending, and no more made anew than kept expected"
      )
    }
    let count = publishers.instrumentCount
    if let leader = schedule.regimeInstrument, Int(leader.index) >= count {
      throw ConfigurationError(
        "refits: the regime is fitted to instrument \(leader.index), one below \(count) expected")
    }
    self.publishers = publishers
    self.regime = regime
    self.table = table
    self.volatility = Array(repeating: volatility, count: count)
    self.schedule = schedule
    self.fits = fits
    windows = Array(repeating: ReturnSeries(), count: count)
    sinceFit = Array(repeating: 0, count: count)
    report.isVolatilityStale = Array(repeating: false, count: count)
  }

  /// Fits at the next step, whatever the schedule says.
  public mutating func request() { isRequested = true }

  /// The window of an instrument.
  public func window(of id: InstrumentID) -> ReturnSeries { windows[Int(id.index)] }

  /// Takes in what has closed, hears what became of the last change, and fits where it is time; whether there was anything to do.
  ///
  /// - Complexity: O(returns) where nothing is fitted, else as the fits; allocates.
  public mutating func step() -> Bool {
    let took = drain()
    let heard = hear()
    guard publishers.isFree(), isRequested || sinceFit.contains(where: { $0 >= schedule.interval }) else {
      return took || heard
    }
    isRequested = false
    for index in sinceFit.indices { sinceFit[index] = 0 }
    fit()
    return true
  }

  private mutating func drain() -> Bool {
    var took = false
    while let next = publishers.nextReturn() {
      took = true
      report.returns += 1
      let index = Int(next.instrument.index)
      if next.number != windows[index].closed {
        report.holes += 1
        windows[index].returns.removeAll(keepingCapacity: true)
      }
      windows[index].returns.append(next.returnPercent)
      windows[index].closed = next.number + 1
      // Moved half a window at a time.
      if windows[index].returns.count >= 2 * schedule.windowMax { trim(index) }
      sinceFit[index] += 1
    }
    return took
  }

  private mutating func trim(_ index: Int) {
    let surplus = windows[index].returns.count - schedule.windowMax
    if surplus > 0 { windows[index].returns.removeFirst(surplus) }
  }

  private mutating func hear() -> Bool {
    guard let outcome = publishers.collect() else { return false }
    switch outcome {
    case .adopted(_, _, let caughtUp):
      report.adopted += 1
      wasLate = false
      report.lastCaughtUp = caughtUp
      if let offered {
        regime = offered.regime ?? regime
        for (index, parameters) in offered.volatility.enumerated() {
          volatility[index] = parameters ?? volatility[index]
        }
      }
    case .late:
      report.late += 1
      // Its states are of another time: once more, and then when it is time again: a window whose end was lost stays behind.
      isRequested = !wasLate
      wasLate = true
    }
    offered = nil
    return true
  }

  private mutating func fit() {
    for index in windows.indices { trim(index) }
    var newRegime: RegimeParameters?
    if let fit = fits.regime, let leader = schedule.regimeInstrument {
      let window = windows[Int(leader.index)].returns
      newRegime = settle(
        window.count < schedule.windowMin
          ? .keep(reason: "\(window.count) returns, \(schedule.windowMin) or more expected") : fit(window, regime))
      report.isRegimeStale = newRegime == nil
    }
    var newVolatility = [VolatilityParameters?](repeating: nil, count: windows.count)
    if let fit = fits.volatility {
      for index in windows.indices {
        let window = windows[index].returns
        newVolatility[index] = settle(
          window.count < schedule.windowMin
            ? .keep(reason: "\(window.count) returns, \(schedule.windowMin) or more expected")
            : fit(window, volatility[index]))
        report.isVolatilityStale[index] = newVolatility[index] == nil
      }
    }
    guard newRegime != nil || newVolatility.contains(where: { $0 != nil }) else { return }
    // What closed during the fits belongs to the states: the less is left to be taken in late.
    let holes = report.holes
    _ = drain()
    guard report.holes == holes else {
      report.kept += 1
      report.lastReason = "a return was lost during the fits, whole windows expected; parameters kept"
      return
    }
    do throws(ConfigurationError) {
      try publishers.publish(
        regime: newRegime.map { ($0, table) }, volatility: newVolatility, series: windows,
        reseedCount: schedule.reseedCount)
    } catch {
      report.kept += 1
      report.lastReason = error.description
      return
    }
    offered = (newRegime, newVolatility)
    report.published += 1
  }

  private mutating func settle<Parameters>(_ answer: RefitAnswer<Parameters>) -> Parameters? {
    switch answer {
    case .replace(let parameters): return parameters
    case .keep(let reason):
      report.kept += 1
      report.lastReason = reason
      return nil
    }
  }
}
