public import LockFreeRings

// The search: one merge where costs are per lot, one for each price band where a protected quote is in the way, and one for
// each subset of lanes where using a lane costs or demands something by itself.

extension OrderRouter {
  /// The allocation that fills most at least cost.
  @inlinable func allocate(_ quantity: Int64) -> RouteAllocation {
    let everything = (UInt32(1) << UInt32(laneCount)) - 1
    let none = InlineArray<8, Int64>(repeating: 0)
    var hasFixed = false
    for lane in 0..<laneCount where lanes[lane].capacity > 0 && lanes[lane].fixedNanos != 0 { hasFixed = true }

    // Without rules and fixed fees the merge is optimal; where its answer breaks none, it is so with them too.
    var candidate = RouteAllocation()
    if !hasFixed {
      _ = merge(&candidate, quantity, everything, forced: none, keyMax: .max)
      if isProtecting(candidate), isAboveMinimum(candidate) { return candidate }
      if protects {
        // The best over all price bands is optimal where no least quantity is broken.
        var best = RouteAllocation()
        searchBands(&best, quantity, everything, minimum: none)
        if isAboveMinimum(best) { return best }
      }
    }

    var best = RouteAllocation()
    var mask: UInt32 = 1
    while mask <= everything {
      defer { mask += 1 }
      var minimum = InlineArray<8, Int64>(repeating: 0)
      var capacity: Int64 = 0
      var isPossible = true
      for lane in 0..<laneCount where mask & (1 << UInt32(lane)) != 0 {
        minimum[lane] = lanes[lane].quantityMin
        // Cannot overflow in a way that matters: saturated at the order's quantity.
        let (sum, overflow) = capacity.addingReportingOverflow(lanes[lane].capacity)
        capacity = overflow ? quantity : min(quantity, sum)
        if lanes[lane].capacity == 0 { isPossible = false }
      }
      guard isPossible, capacity >= best.filled else { continue }
      searchBands(&best, quantity, mask, minimum: minimum)
    }
    return best
  }

  /// Improves `best` by the best allocation over the lanes of `mask` in any price band.
  ///
  /// The protected quotes, sorted, part the prices into bands. When the worst price taken lies in a band, every protected
  /// quote better than it must be taken in full and every other one binds nothing: within a band the merge is optimal.
  @inlinable func searchBands(
    _ best: inout RouteAllocation, _ quantity: Int64, _ mask: UInt32, minimum: InlineArray<8, Int64>
  ) {
    var floor = Int64.min
    repeat {
      // The band (floor, ceiling]: up to the next protected quote.
      var ceiling = Int64.max
      if protects {
        for lane in 0..<laneCount where lanes[lane].protectedKey > floor {
          ceiling = min(ceiling, lanes[lane].protectedKey)
        }
      }
      var forced = minimum
      var isPossible = true
      if protects {
        for lane in 0..<laneCount where lanes[lane].protectedKey <= floor {
          forced[lane] = max(forced[lane], lanes[lane].protectedLots)
          if mask & (1 << UInt32(lane)) == 0 || forced[lane] > lanes[lane].capacity { isPossible = false }
        }
      }
      // No deeper band is possible either: it demands the same quotes and more.
      guard isPossible else { return }
      var candidate = RouteAllocation()
      if merge(&candidate, quantity, mask, forced: forced, keyMax: ceiling),
        candidate.isBetter(than: best)
      {
        best = candidate
      }
      floor = ceiling
    } while floor < .max
  }

  /// Takes what is `forced` from each lane of `mask`, then lot by lot the cheapest that is left, at prices up to `keyMax`.
  ///
  /// - Returns: false when what is forced is not to be had; the candidate then means nothing.
  @inlinable func merge(
    _ candidate: inout RouteAllocation, _ quantity: Int64, _ mask: UInt32, forced: InlineArray<8, Int64>,
    keyMax: Int64
  ) -> Bool {
    // By lane: the level it stands at, lots left there, and its price with fees (`.max`: exhausted).
    var places = InlineArray<8, Int>(repeating: 0)
    var lefts = InlineArray<8, Int64>(repeating: 0)
    var costs = InlineArray<8, Int64>(repeating: .max)
    var remaining = quantity
    for lane in 0..<laneCount where mask & (1 << UInt32(lane)) != 0 {
      var due = forced[lane]
      guard due <= remaining, due <= lanes[lane].capacity else { return false }
      guard lanes[lane].capacity > 0 else { continue }
      stand(lane, places[lane], keyMax, &lefts, &costs)
      while due > 0, costs[lane] < .max {
        let lots = min(due, lefts[lane])
        give(lots, lane, places[lane], &candidate)
        due -= lots
        remaining -= lots
        lefts[lane] -= lots
        guard lefts[lane] == 0 else { break }
        places[lane] += 1
        stand(lane, places[lane], keyMax, &lefts, &costs)
      }
      guard due == 0 else { return false }
    }
    while remaining > 0 {
      var cheapest = 0
      for lane in 1..<8 where lane < laneCount {
        guard costs[lane] <= costs[cheapest], costs[lane] < .max else { continue }
        if costs[lane] < costs[cheapest] || key(lane, places[lane]) < key(cheapest, places[cheapest]) {
          cheapest = lane
        }
      }
      guard costs[cheapest] < .max else { break }
      let room = lanes[cheapest].capacity - candidate.lots[cheapest]
      let lots = min(remaining, lefts[cheapest], room)
      if lots > 0 { give(lots, cheapest, places[cheapest], &candidate) }
      remaining -= lots
      lefts[cheapest] -= lots
      if lots == room {
        costs[cheapest] = .max
      } else if lefts[cheapest] == 0 {
        places[cheapest] += 1
        stand(cheapest, places[cheapest], keyMax, &lefts, &costs)
      }
    }
    return true
  }

  /// Signed price of a level of a lane.
  @inlinable func key(_ lane: Int, _ place: Int) -> Int64 { levels[masked: lanes[lane].levelStart + place].key }

  /// Puts a lane at its level `place`, or calls it exhausted.
  @inlinable func stand(
    _ lane: Int, _ place: Int, _ keyMax: Int64, _ lefts: inout InlineArray<8, Int64>,
    _ costs: inout InlineArray<8, Int64>
  ) {
    costs[lane] = .max
    guard place < lanes[lane].levelCount else { return }
    let level = levels[masked: lanes[lane].levelStart + place]
    guard level.key <= keyMax else { return }
    costs[lane] = level.allIn
    lefts[lane] = level.lots
  }

  /// Gives `lots` at one level to a lane of the candidate.
  @inlinable func give(_ lots: Int64, _ lane: Int, _ place: Int, _ candidate: inout RouteAllocation) {
    let level = levels[masked: lanes[lane].levelStart + place]
    if candidate.lots[lane] == 0 {
      candidate.laneCount += 1
      candidate.cost += lanes[lane].fixedNanos
    }
    candidate.lots[lane] += lots
    candidate.worstKeys[lane] = level.key
    candidate.worstKey = max(candidate.worstKey, level.key)
    candidate.filled += lots
    // Cannot overflow: the lots of all levels add up to at most 2^63, each at less than 2^63.
    candidate.cost += Int128(level.allIn) * Int128(lots)
  }

  /// Whether every protected quote better than the worst price is taken in full.
  @inlinable func isProtecting(_ candidate: borrowing RouteAllocation) -> Bool {
    guard protects else { return true }
    for lane in 0..<laneCount where lanes[lane].protectedKey < candidate.worstKey {
      if candidate.lots[lane] < lanes[lane].protectedLots { return false }
    }
    return true
  }

  /// Whether every lane that is used holds at least what its venue demands.
  @inlinable func isAboveMinimum(_ candidate: borrowing RouteAllocation) -> Bool {
    for lane in 0..<laneCount where candidate.lots[lane] > 0 {
      if candidate.lots[lane] < lanes[lane].quantityMin { return false }
    }
    return true
  }
}
