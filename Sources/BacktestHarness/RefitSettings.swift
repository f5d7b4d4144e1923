internal import LockFreeRings
public import TradingEngine
internal import TradingTypes

/// Refits beside a run: one refitter, on a thread of its own, for the desks of all its pipelines.
public struct RefitSettings: Sendable {
  /// When is fitted, and on what.
  public var schedule: Refitter.Schedule
  /// The fits.
  public var fits: Refitter.Fits
  /// How long the thread sleeps where there is nothing to do.
  public var idleNanoseconds: UInt32 = 1_000_000

  /// Fits by a schedule.
  public init(schedule: Refitter.Schedule = Refitter.Schedule(), fits: Refitter.Fits) {
    self.schedule = schedule
    self.fits = fits
  }
}

/// Desks for the pipelines of one run, and their other ends.
struct RefitDesks: ~Copyable {
  private(set) var desks: [Handoff<RefitDesk>] = []
  private(set) var publishers: [Handoff<RefitPublisher>] = []
  private let map: ShardMap

  /// One desk for each shard of `map`; the plan of `setup` comes first in each.
  init(_ setup: ReplaySetup, map: ShardMap) throws(ConfigurationError) {
    self.map = map
    let count = setup.directory.count
    for shard in 0..<map.count {
      let arena = Arena(capacityBytes: RefitDesk.arenaBytes(instrumentCount: count) + (64 << 10))
      do throws(RingError) {
        var desk = try RefitDesk(
          instrumentCount: count, plan: setup.refits?.restricted(to: shard, of: map) ?? RefitPlan(),
          deskCount: map.count, shard: shard, in: arena)
        publishers.append(Handoff(desk.takePublisher()))
        desks.append(Handoff(desk))
      } catch { throw ConfigurationError("refits: \(error)") }
    }
  }

  /// The refitter's thread.
  ///
  /// - Precondition: started once.
  func start(_ settings: RefitSettings, _ configuration: EngineConfiguration) throws(ConfigurationError) -> RefitThread
  {
    let refitter = try Refitter(
      RefitPublishers(publishers, map: map), configuration: configuration, schedule: settings.schedule,
      fits: settings.fits)
    return RefitThread(refitter, idleNanoseconds: settings.idleNanoseconds)
  }
}
