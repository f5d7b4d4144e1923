internal import TradingTypes

/// Puts the records of a refit together, in whatever order a topology hands them on.
struct RefitAssembly: Sendable {
  /// Records of the refit that is not whole yet, as they came.
  private(set) var records: [RefitRecord] = []
  private var places: Set<UInt32> = []

  /// Whether `record` is a further one of the refit that is open; of none that is, where none is open.
  func takes(_ record: RefitRecord) -> Bool {
    guard let first = records.first else { return true }
    return record.number == first.number && record.barrier == first.barrier && record.recordCount == first.recordCount
      && !places.contains(record.place)
  }

  /// Adds a record that it takes; all of the refit, by their place, once it is whole.
  ///
  /// Places are below the count and distinct, so as many as the count are all of them.
  mutating func append(_ record: RefitRecord) -> [RefitRecord]? {
    records.append(record)
    places.insert(record.place)
    guard records.count == Int(record.recordCount) else { return nil }
    defer { self = RefitAssembly() }
    return records.sorted { $0.place < $1.place }
  }
}
