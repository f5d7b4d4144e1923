public import LockFreeRings
public import TradingTypes

// What the engine's control side changes, and what reports read.
extension RiskGate {
  /// The common limits.
  @inlinable public var limits: LimitSet { limitSets[0] }

  /// Replaces the common limits whole, from the next order on. A longer duplicate window holds for orders from now on: older ones
  /// may be forgotten already.
  public mutating func setLimits(_ limits: LimitSet, version: UInt64) {
    limitSets[0] = limits
    limitsVersion = version
  }

  /// Gives one instrument limits of its own in everything but the throttles of strategy and session and the duplicate
  /// window, which are common.
  ///
  /// - Returns: false, and nothing changes, when the instrument is unknown or `overrideCapacity` instruments have their own.
  public mutating func setLimits(_ limits: LimitSet, for instrument: InstrumentID) -> Bool {
    guard Int(instrument.index) < instrumentCount else { return false }
    let index = Int(instrument.index)
    if terms[index].limitsPlace == 0 {
      guard overrideCount + 1 < limitSets.count else { return false }
      overrideCount += 1
      terms[index].limitsPlace = Int32(overrideCount)
    }
    limitSets[Int(terms[index].limitsPlace)] = limits
    return true
  }

  /// The limits that hold for an instrument of the gate.
  @inlinable public func limits(for instrument: InstrumentID) -> LimitSet {
    limitSets[Int(terms[Int(instrument.index)].limitsPlace)]
  }

  /// Notes a sign of life of the order session.
  @inlinable public mutating func noteHeartbeat(at time: Timestamp) {
    permissions.heartbeat = Swift.max(permissions.heartbeat, time)
  }

  /// Notes that a venue's session was connected or lost; a venue beyond the gate's changes nothing.
  @inlinable public mutating func setConnected(_ venue: VenueID, _ isConnected: Bool) {
    guard Int(venue.index) < venueCount else { return }
    if isConnected {
      permissions.connectedVenues |= venue.bit
    } else {
      permissions.connectedVenues &= ~venue.bit
    }
  }

  /// Permits or forbids orders in an instrument (check 2); an unknown one changes nothing.
  public mutating func setAuthorised(_ instrument: InstrumentID, _ isAuthorised: Bool) {
    guard Int(instrument.index) < instrumentCount else { return }
    terms[Int(instrument.index)].isAuthorised = isAuthorised
  }

  /// Puts an instrument on the restricted list or takes it off (check 3); an unknown one changes nothing.
  public mutating func setRestricted(_ instrument: InstrumentID, _ isRestricted: Bool) {
    guard Int(instrument.index) < instrumentCount else { return }
    terms[Int(instrument.index)].isRestricted = isRestricted
  }

  /// Opens or closes an instrument for trading (check 4); an unknown one changes nothing.
  public mutating func setTradable(_ instrument: InstrumentID, _ isTradable: Bool) {
    guard Int(instrument.index) < instrumentCount else { return }
    terms[Int(instrument.index)].isTradable = isTradable
  }

  // MARK: - Counts

  /// Orders that passed.
  @inlinable public var passCount: UInt64 { verdictCounts[0] }

  /// Orders that `check` refused.
  @inlinable public func rejectCount(of check: RiskCheck) -> UInt64 { verdictCounts[Int(check.rawValue)] }

  /// Cancels judged.
  @inlinable public var cancelCount: UInt64 { _cancelCount }

  /// Cancels beyond their own budget; they passed.
  @inlinable public var cancelsOverBudget: UInt64 { _cancelsOverBudget }

  /// Orders refused by check 28 while the table of remembered orders had no room.
  @inlinable public var duplicateTableFullCount: UInt64 { _duplicateTableFullCount }

  /// The highest order number of an account that passed, 0 before the first.
  @inlinable public func highestNumber(of account: AccountID) -> ClientOrderID {
    ClientOrderID(value: highestNumbers[Int(account.index)])
  }
}
