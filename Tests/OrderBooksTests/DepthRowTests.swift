import LockFreeRings
import Testing
import TradingTypes

// Goal: what a book writes through rows of levels is what a reader finds in the depth view. Method: write every place of both rows.
@Suite struct DepthRowTests {
  @Test func `the rows of a slab of views are their sides`() {
    var views = Slab(repeating: DepthView(), count: 3, in: Arena(capacityBytes: 1 << 16))
    for side in 0..<6 {
      var row = views.parts(DepthLevel.self, from: side * DepthView.sideStride, count: DepthView.sideStride)
      for place in 0..<10 { row[place] = level(side, place) }
      row[DepthView.levelCountMax] = level(99, 99)
      row[DepthView.countPlace].quantity = Quantity(lots: Int64(side + 1))
    }
    for book in 0..<3 {
      for place in 0..<10 {
        #expect(views[book].bids[place] == level(2 * book, place))
        #expect(views[book].asks[place] == level(2 * book + 1, place))
      }
      #expect(views[book].bidCount == Int32(2 * book + 1) && views[book].askCount == Int32(2 * book + 2))
    }
  }

  @Test func `counts are what was set`() {
    var view = DepthView()
    #expect(view.bidCount == 0 && view.askCount == 0)
    view.bidCount = 7
    view.askCount = 10
    #expect(view.bidCount == 7 && view.askCount == 10 && view.bids[9] == .empty && view.asks[9] == .empty)
  }

  @Test func `a rank says what changed`() {
    for rank in 0...25 {
      let effect = BookEffect(.applied, side: .sell, price: .zero, quantity: .zero, rank: rank)
      #expect(effect.bestChanged == (rank == 0) && effect.depthChanged == (rank < 10))
    }
    var effect = BookEffect(.applied, bestChanged: true)
    #expect(effect.bestChanged && !effect.depthChanged)
    effect.depthChanged = true
    effect.bestChanged = false
    #expect(!effect.bestChanged && effect.depthChanged)
  }

  @Test func `parts outside the slab are refused`() async {
    await #expect(processExitsWith: .failure) {
      var views = Slab(repeating: DepthView(), count: 2, in: Arena(capacityBytes: 1 << 16))
      var row = views.parts(DepthLevel.self, from: 3 * DepthView.sideStride + 1, count: DepthView.sideStride)
      row[0] = .empty
    }
    await #expect(processExitsWith: .failure) {
      var views = Slab(repeating: DepthView(), count: 2, in: Arena(capacityBytes: 1 << 16))
      var row = views.parts(DepthLevel.self, from: -1, count: 1)
      row[0] = .empty
    }
  }

  private func level(_ side: Int, _ place: Int) -> DepthLevel {
    DepthLevel(price: Price(nanos: Int64(side * 100 + place + 1)), quantity: Quantity(lots: Int64(place + 1)))
  }
}
