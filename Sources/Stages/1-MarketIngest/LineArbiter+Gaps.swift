internal import LockFreeRings
public import TradingTypes

/// A range of missing messages, `first` up to but not including `end`. Some in its middle may be held.
@usableFromInline struct LineGap: BitwiseCopyable, Sendable {
  var first: UInt64 = 0
  var end: UInt64 = 0
  /// When the next request is due, or the range is lost.
  var due = Timestamp.distantPast
  /// The first message asked for, and behind the last one; the latter 0 once all that was asked for is there.
  var requestedFirst: UInt64 = 0
  var requestedEnd: UInt64 = 0
  /// Requests since something of it came.
  var tryCount = 0
  var isLost = false
}

extension LineArbiter {
  /// The next thing to do, or nil; call it after every packet and at `nextDeadline`, until it answers nil.
  ///
  /// - Complexity: O(gaps) beside the messages that came since.
  public mutating func nextAction(at now: Timestamp) -> LineAction? {
    let now = time.clamp(now)
    settle()
    for place in 0..<gapCount where !gaps[place].isLost && gaps[place].due <= now {
      let gap = gaps[place]
      let isInReach = isInReach(gap)
      // There is no room for an answer yet; behind a lost range there will be none.
      guard isInReach || gaps[0].isLost else { continue }
      guard isInReach, gap.tryCount < tryCountMax else {
        gaps[place].isLost = true
        lostGapCount += 1
        // Wrapping, all counts: what they count does not reach 2^64.
        lostCount &+= 1
        return .lost(first: gap.first, count: gap.end - gap.first)
      }
      // In range: an answer to more than the window holds would be refused. Many servers answer with one packet: twice as much as came is
      // asked for then, so that a server that sends all, only slowly, does not send all again.
      let limit = gap.requestedEnd > 0 && gap.first > gap.requestedFirst ? 2 * (gap.first - gap.requestedFirst) : .max
      let count = min(gap.end - gap.first, requestMessagesMax, windowMessages, limit)
      gaps[place].requestedFirst = gap.first
      gaps[place].requestedEnd = gap.first + count
      // In range: at most an hour, doubled at most 15 times.
      gaps[place].due = now + TimeSpan(nanoseconds: retryTimeout.nanoseconds << Int64(gap.tryCount))
      gaps[place].tryCount += 1
      requestCount &+= 1
      return .request(MoldHeader(session: session, firstSequence: gap.first, count: UInt16(count)))
    }
    if state != reportedState {
      reportedState = state
      return .stateChanged(reportedState)
    }
    if endSequence > 0, !hasReportedEnd, lostGapCount == gapCount, lostGapCount > 0 || next >= endSequence {
      hasReportedEnd = true
      return .sessionEnded
    }
    return nil
  }

  /// When `nextAction` has to be called again even if no packet comes, or nil.
  public var nextDeadline: Timestamp? {
    var earliest: Timestamp?
    for place in 0..<gapCount where !gaps[place].isLost && (isInReach(gaps[place]) || gaps[0].isLost) {
      earliest = min(earliest ?? .distantFuture, gaps[place].due)
    }
    return earliest
  }

  /// Whether there is room for the first messages of `gap`: those that are next in turn need none, and a stale line makes some.
  private func isInReach(_ gap: LineGap) -> Bool {
    if gap.first <= next { return true }
    guard gap.first < floor + windowMessages else { return false }
    return gaps[0].isLost || window.freeBlocks >= window.links.count / 4
  }

  /// Delivers on behind what is lost, for a host without snapshots: trades are seen again, but the books stay stale.
  ///
  /// - Complexity: O(window).
  public mutating func skipLost() {
    settle()
    guard gapCount > 0, gaps[0].isLost, !isInSnapshot else { return }
    isComplete = false
    completesWhenCaughtUp = false
    // The first message behind the gap, or within it where it was joined from several.
    var first = max(next, floor)
    let last = min(gaps[0].end, floor + windowMessages)
    while first < last, !window.holds(first) { first += 1 }
    next = first < last ? first : max(first, gaps[0].end)
    floor = max(floor, next)
    settle()
  }

  // MARK: - Snapshots

  /// A snapshot of all books after message `sequence` is there: says whether the books are to be replaced by it.
  ///
  /// Until `endSnapshot` all messages are held. A second snapshot may begin meanwhile; it replaces the first unless it is older.
  public mutating func beginSnapshot(sequence: UInt64) -> SnapshotAnswer {
    releasePending()
    let isOlder = sequence < UInt64.max && sequence + 1 < next || isInSnapshot && sequence < snapshotSequence
    // Wrapping: `highest` is a number of the session, far below the end of the range; a sum that wraps refuses.
    let isReachable = sequence < highest &+ jumpMax && sequence + 1 >= floor
    guard !isOlder, isReachable else {
      refusedSnapshotCount &+= 1
      return isOlder ? .older : .unreachable
    }
    isInSnapshot = true
    snapshotSequence = sequence
    return .started
  }

  /// The books are those of the snapshot: held messages behind it come next from `nextHeld`, and what is missing is asked for anew.
  ///
  /// - Complexity: O(window).
  public mutating func endSnapshot() {
    guard isInSnapshot else { return }
    isInSnapshot = false
    isComplete = true
    completesWhenCaughtUp = false
    let first = snapshotSequence + 1
    if next < first {
      // What the snapshot holds already.
      for sequence in max(next, floor)..<max(min(first, floor + windowMessages), max(next, floor)) {
        window.release(sequence)
      }
      next = first
      floor = max(floor, first)
      highest = max(highest, first)
    }
    settle()
    // What only a heartbeat told of, nothing held behind it: the next heartbeat tells again, and a wrong one is forgotten.
    if gapCount > 0, gaps[gapCount - 1].end == highest, endSequence == 0 {
      highest = gaps[gapCount - 1].first
      removeGap(gapCount - 1)
    }
    for place in 0..<gapCount {
      gaps[place].isLost = false
      gaps[place].tryCount = 0
      gaps[place].due = time.latest
    }
    lostGapCount = 0
  }

  // MARK: - Gaps

  mutating func addGap(from first: UInt64, to end: UInt64, joining joins: Bool) {
    let last = gapCount > 0 ? gaps[gapCount - 1] : LineGap()
    // No place left: the last one grows over what came between.
    if gapCount == gapCountMax || joins && last.end == first && !last.isLost {
      gaps[gapCount - 1].end = end
      return
    }
    gaps[gapCount] = LineGap(first: first, end: end, due: time.latest + patience)
    gapCount += 1
  }

  /// What was sent before the first packet is lost: only a snapshot stands in for it, and nothing is delivered before that.
  mutating func loseWhatWasBefore() {
    completesWhenCaughtUp = true
    guard next > 1 else { return }
    gaps[0] = LineGap(first: 1, end: next)
    gaps[0].isLost = true
    gapCount = 1
    lostGapCount = 1
    next = 1
  }

  mutating func removeGap(_ place: Int) {
    if gaps[place].isLost { lostGapCount -= 1 }
    for later in place + 1..<max(gapCount, place + 1) { gaps[later - 1] = gaps[later] }
    gapCount -= 1
  }

  /// Takes what came from both ends of every gap, and gaps without anything missing away.
  mutating func settle() {
    releasePending()
    var place = 0
    while place < gapCount {
      var gap = gaps[place]
      gap.first = max(gap.first, next)
      while gap.first < gap.end, window.holds(gap.first) { gap.first += 1 }
      while gap.first < gap.end, window.holds(gap.end - 1) { gap.end -= 1 }
      guard gap.first < gap.end else {
        removeGap(place)
        continue
      }
      if gap.first != gaps[place].first || gap.end != gaps[place].end {
        // Something came: the tries begin anew. The rest is asked for at once when all that was asked for is there, and when nothing more
        // comes for a while.
        if gap.requestedEnd > 0, gap.first >= gap.requestedEnd {
          gap.due = time.latest
          gap.requestedEnd = 0
        } else if gap.requestedEnd > 0, gap.first > gaps[place].first {
          gap.due = time.latest + min(patience, retryTimeout)
        }
        gap.tryCount = 0
        gaps[place] = gap
      }
      place += 1
    }
    if completesWhenCaughtUp, gapCount == 0, next >= highest, next > 1 {
      isComplete = true
      completesWhenCaughtUp = false
    }
  }

  /// Makes room for a message of `byteCount` bytes; false where there is none. Only a stale line lets older messages go: it waits for a
  /// snapshot, and the newest messages are those that will be needed behind it.
  mutating func makeRoom(_ byteCount: Int, sequence: UInt64) -> Bool {
    guard sequence >= floor else { return false }
    let blocks = SequenceWindow.blocks(byteCount)
    if sequence - floor < windowMessages, blocks <= window.freeBlocks { return true }
    settle()
    guard gapCount > 0, gaps[0].isLost, !isInSnapshot, next >= gaps[0].first else { return false }
    let lowest = sequence >= windowMessages ? sequence - windowMessages + 1 : 0
    // A jump over the whole window leaves nothing to keep, and nothing to walk through.
    if lowest > floor, lowest - floor >= windowMessages {
      window.releaseAll()
      floor = lowest
    }
    while floor < sequence, floor < lowest || window.freeBlocks < blocks {
      if window.holds(floor) {
        window.release(floor)
        agedCount &+= 1
      }
      floor += 1
    }
    gaps[0].end = max(gaps[0].end, min(floor, highest))
    while gapCount > 1, gaps[1].first < gaps[0].end {
      if gaps[1].end <= gaps[0].end {
        removeGap(1)
      } else {
        gaps[1].first = gaps[0].end
      }
    }
    return blocks <= window.freeBlocks
  }

  // MARK: - Sessions

  /// Begins a new session at its first message: the books are stale until they are rebuilt from it, or from a snapshot.
  mutating func change(to new: MoldSession) {
    window.releaseAll()
    previousSession = session
    hasPreviousSession = true
    session = new
    next = 1
    highest = 1
    floor = 1
    pending = 0
    gapCount = 0
    lostGapCount = 0
    isInSnapshot = false
    isComplete = false
    completesWhenCaughtUp = true
    endSequence = 0
    hasReportedEnd = false
    sessionChangeCount &+= 1
  }
}
