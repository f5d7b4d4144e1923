import OrderRouting
import TradingTypes

/// A routing case: what the router is asked, as plain arrays.
struct RandomBook {
  struct Level: Equatable {
    var price: Int64
    var lots: Int64
  }
  struct Place {
    var takeFee: Int64
    var fixedFee: Int64
    var quantityMin: Int64
    var childMax: Int64
    var isProtected: Bool
    var isUp: Bool
    var levels: [Level]
  }
  /// What may vary from case to case.
  struct Shape {
    var hasFixedFees = false
    var hasMinimums = false
    var hasMaximums = false
    var canBeDown = true
  }

  var side: Side
  var quantity: Int64
  var limit: Int64?
  var protects: Bool
  var lotUnits: Int64
  var contractMultiplier: Int64
  var places: [Place]

  init(_ random: inout SplitMix64, _ shape: Shape, protects: Bool) {
    side = random.below(2) == 0 ? .buy : .sell
    quantity = Int64(1 + random.below(12))
    self.protects = protects
    lotUnits = random.below(3) == 0 ? 100 : 1
    contractMultiplier = random.below(4) == 0 ? 5 : 1
    places = []
    for _ in 0..<(1 + random.below(3)) {
      var levels: [Level] = []
      // Prices a few ticks of 10 apart and fees within two ticks, so that prices with fees often change places or tie.
      var price = Int64(1000) + side.sign * 10 * Int64(random.below(3))
      for _ in 0..<random.below(5) {
        levels.append(Level(price: price, lots: Int64(1 + random.below(5))))
        price += side.sign * 10 * Int64(1 + random.below(2))
      }
      places.append(
        Place(
          takeFee: 5 * Int64(random.below(9)) - 20,
          fixedFee: shape.hasFixedFees && random.below(3) > 0 ? Int64(random.below(60)) - 5 : 0,
          quantityMin: shape.hasMinimums ? Int64(random.below(6)) : 0,
          childMax: shape.hasMaximums && random.below(2) == 0 ? Int64(5 + random.below(4)) : 0,
          isProtected: random.below(4) > 0, isUp: !shape.canBeDown || random.below(8) > 0, levels: levels))
    }
    limit = random.below(4) == 0 ? nil : 1000 + side.sign * 10 * Int64(random.below(7))
  }

  func directory() throws -> VenueDirectory {
    try VenueDirectory(
      places.enumerated().map { index, place in
        Venue(
          id: VenueID(index: UInt16(index)), symbol: Symbol("V\(index)")!, takeFee: Price(nanos: place.takeFee),
          fixedFee: Money(nanos: Int128(place.fixedFee)), orderQuantityMin: Quantity(lots: place.quantityMin),
          childQuantityMax: Quantity(lots: place.childMax), isProtected: place.isProtected)
      })
  }

  /// The ladders, in the order of `order` (venue indices).
  func ladders(order: [Int]) -> InlineArray<8, VenueLadder> {
    var ladders = InlineArray<8, VenueLadder>(repeating: VenueLadder(venue: VenueID(index: 0), isUp: false))
    for (slot, index) in order.enumerated() {
      var ladder = VenueLadder(venue: VenueID(index: UInt16(index)), isUp: places[index].isUp)
      for level in places[index].levels {
        ladder.levels[Int(ladder.count)] = DepthLevel(
          price: Price(nanos: level.price), quantity: Quantity(lots: level.lots))
        ladder.count += 1
      }
      ladders[slot] = ladder
    }
    return ladders
  }

  var intent: OrderIntent {
    OrderIntent(
      clientOrderID: ClientOrderID(value: 500), causeSequence: 1, time: Timestamp(nanoseconds: 9),
      instrument: InstrumentID(index: 0), side: side, price: Price(nanos: limit ?? 0),
      quantity: Quantity(lots: quantity), type: limit == nil ? .market : .limit)
  }

  var terms: Instrument {
    Instrument(
      id: InstrumentID(index: 0), symbol: Symbol("AAA")!, lotUnits: lotUnits, contractMultiplier: contractMultiplier,
      venueMask: 0xFF)
  }

  /// What `lots` at venue `index` cost (signed: lower is better on either side), or nil where they are not to be had.
  func cost(_ lots: Int64, at index: Int) -> Int64? {
    guard lots > 0 else { return 0 }
    let place = places[index]
    guard place.isUp, lots >= place.quantityMin, place.childMax == 0 || lots <= place.childMax else { return nil }
    var left = lots
    var total = place.fixedFee + place.takeFee * lotUnits * lots
    for level in place.levels where left > 0 {
      if let limit, side.sign * level.price > side.sign * limit { return nil }
      let here = min(left, level.lots)
      total += side.sign * level.price * lotUnits * contractMultiplier * here
      left -= here
    }
    return left == 0 ? total : nil
  }

  /// The price of the last of `lots` at venue `index`, signed; only where they are to be had.
  func worstKey(_ lots: Int64, at index: Int) -> Int64 {
    var left = lots
    for level in places[index].levels {
      left -= level.lots
      if left <= 0 { return side.sign * level.price }
    }
    return .max
  }

  /// Whether no venue's child trades through another venue's protected quote that is not taken in full.
  func isProtecting(_ lots: [Int64]) -> Bool {
    for (index, taken) in lots.enumerated() where taken > 0 {
      let worst = worstKey(taken, at: index)
      for (other, place) in places.enumerated() where other != index && place.isUp && place.isProtected {
        guard let quote = place.levels.first else { continue }
        if worst > side.sign * quote.price && lots[other] < quote.lots { return false }
      }
    }
    return true
  }

  /// The most that can be filled and the least it costs, over every allocation there is.
  func oracle() -> (filled: Int64, cost: Int64) {
    let costs = places.indices.map { index in (0...quantity).map { cost($0, at: index) } }
    var best: (filled: Int64, cost: Int64) = (0, 0)
    var lots = [Int64](repeating: 0, count: places.count)
    func visit(_ index: Int, _ filled: Int64, _ total: Int64) {
      guard index < places.count else {
        guard filled > best.filled || (filled == best.filled && total < best.cost) else { return }
        if protects, !isProtecting(lots) { return }
        best = (filled, total)
        return
      }
      for taken in 0...(quantity - filled) {
        guard let here = costs[index][Int(taken)] else { continue }
        lots[index] = taken
        visit(index + 1, filled + taken, total + here)
      }
      lots[index] = 0
    }
    visit(0, 0, 0)
    return best
  }
}
