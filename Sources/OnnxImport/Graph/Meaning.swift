internal import ModelInference

/// What a tensor of the graph is, once the node that makes it has been read.
enum Meaning {
  /// Its numbers are known.
  case constant(Constant)
  /// It lies on a value of the network.
  case view(View)
  /// One function of each number of a view.
  case function(View, ScalarFunction)
  /// A view in quantised form, between QuantizeLinear and DequantizeLinear.
  case quantised(View)
  /// The steps of a layer normalisation spelled out, of a view: mean, distance from it, its square, the mean of that, the root.
  case mean(View)
  case centred(View)
  case squares(View)
  case variance(View, epsilon: Double)
  case deviation(View, epsilon: Double)
  /// Values of one shape one behind the other along an axis: the hidden states of several layers.
  case stack([View], axis: Int)
  /// A whole window as one row of numbers, time by time or column by column, on its way to a dense layer.
  case flattened(View, isTimeMajor: Bool, dims: [Int])
  /// Products of queries and keys, until they meet the values.
  case scores(Scores)
  /// Probabilities of the last value's numbers, by softmax or, for one number, by the logistic function.
  case chances(View, isSoftmax: Bool)
  /// What trees answer.
  case forest(DecisionForest)
  /// A result that only matters if somebody reads it.
  case unusable(String)

  var constant: Constant? {
    if case .constant(let constant) = self { return constant }
    return nil
  }

  /// Words for a refusal.
  var words: String {
    switch self {
    case .constant: "a constant"
    case .view, .function: "a value of the network"
    case .quantised: "a quantised value"
    case .mean, .centred, .squares, .variance, .deviation: "a part of a layer normalisation"
    case .stack: "states of several layers"
    case .flattened: "a flattened window"
    case .scores: "attention scores"
    case .chances: "probabilities"
    case .forest: "the trees' answer"
    case .unusable(let words): words
    }
  }
}

/// Products of queries and keys on their way to a softmax.
struct Scores {
  var query: View
  var key: View
  var scale: Double
  var isCausal = false
  var isNormalised = false
}
