public import LockFreeRings
public struct ForestKernel: ~Copyable {
  public enum Form: String { case x }
  let f: DecisionForest
  public init(_ f: DecisionForest, set: KernelSet, in a: Arena) { self.f = f }
  public static func arenaBytes(for f: DecisionForest) -> Int { 128 }
  public var form: Form { .x }
  func list(_ r: borrowing KernelRow) -> [Float] { var l: [Float] = []; for i in 0..<r.featureCount { l.append(r[i]) }; return l }
  public func raw(_ r: borrowing KernelRow) -> Double { f.rawReference(list(r))[0] }
  public func rawScores(_ r: borrowing KernelRow) -> [Double] { f.rawReference(list(r)) }
  public func exitLeaves(_ r: borrowing KernelRow) -> [UInt32] { zip(f.trees, f.exitLeavesReference(list(r))).map { $0.leafNumbers[$1] } }
}
extension KernelRow {
  mutating func set(_ i: Int, _ v: Float) { unsafe values[i] = v }
  @unsafe mutating func gather(_ l: UnsafeMutablePointer<Int32>, from r: borrowing KernelRow) { for i in 0..<featureCount { unsafe values[i] = r.values[Int(l[i])] } }
}
public struct NetworkState: ~Copyable {
  init(for n: QuantisedNetwork, mode: NetworkMember.SequenceMode, in a: Arena) {}
  static func arenaBytes(for n: QuantisedNetwork, mode: NetworkMember.SequenceMode) -> Int { 128 }
  var isReady: Bool { false }
  mutating func reset() {}
}
public struct NetworkKernel: ~Copyable {
  let n: QuantisedNetwork
  init(_ n: QuantisedNetwork, set: KernelSet, in a: Arena) { self.n = n }
  static func arenaBytes(for n: QuantisedNetwork) -> Int { 128 }
  func predict(_ r: borrowing KernelRow) -> Float { 0 }
  func predict(_ r: borrowing KernelRow, _ s: inout NetworkState) -> Float { 0 }
  func close(_ r: borrowing KernelRow, _ s: inout NetworkState) {}
  func advance(_ s: inout NetworkState) -> Bool { false }
  func predictWindow(_ rows: [[Float]]) -> [Float] { n.predictReference(rows) }
}
extension SectionReader {
  mutating func quantisedNetwork() throws(ArtifactError) -> QuantisedNetwork { throw refused("x") }
  mutating func neuralNetwork() throws(ArtifactError) -> NeuralNetwork { throw refused("x") }
}
