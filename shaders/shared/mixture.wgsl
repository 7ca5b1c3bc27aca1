// The colour of a mixture of classes: a grey as light as its parts, with the hue of the class that leads. Twin: `scene::mixture`.

// The amount of each class in one place, gathered class by class.
struct Mixture {
    total: f32,
    first: f32,
    second: f32,
    logs: f32,
    leader: vec3f,
    grey: f32,
}

// The distance from grey at which the mean of many classes' colours stays as it is.
const PLAIN_MEAN = 0.12;

fn luma(color: vec3f) -> f32 {
    return dot(color, vec3f(0.299, 0.587, 0.114));
}

// Adds all that there is of one class.
fn with_class(mixture: Mixture, amount: f32, color: vec3f) -> Mixture {
    var more = mixture;
    if amount > 0.0 {
        more.total += amount;
        more.logs += amount * log(amount);
        more.grey += amount * luma(color);
        if amount > more.first {
            more.second = more.first;
            more.first = amount;
            more.leader = color;
        } else {
            more.second = max(more.second, amount);
        }
    }
    return more;
}

fn color_of_mixture(mixture: Mixture) -> vec3f {
    if mixture.total <= 0.0 {
        return vec3f(0.0);
    }
    let entropy = max(log(mixture.total) - mixture.logs / mixture.total, 0.0);
    let purity = (1.0 - mixture.second / mixture.first) * exp(-0.5 * entropy);
    let grey = mixture.grey / mixture.total;
    return clamp(grey + (mixture.leader - luma(mixture.leader)) * purity, vec3f(0.0), vec3f(1.0));
}

// Of many classes, from the mean of their colours: the nearer that is to grey, the more hides in it, and the less of its hue is left.
fn color_of_mean(mean: vec3f) -> vec3f {
    let grey = luma(mean);
    let off = mean - grey;
    let farthest = max(max(abs(off.r), abs(off.g)), abs(off.b));
    return grey + off * min(farthest / PLAIN_MEAN, 1.0);
}
